# Run by `tofu test` in infra/bucket/policies.
variables {
  bucket = "some-models"
}

run "policies_are_of_this_bucket_alone" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for document in output.documents : [
        for statement in jsondecode(document).Statement : [
          for resource in flatten([statement.Resource]) :
          startswith(resource, "arn:aws:s3:::some-models")
        ]
      ]
    ]))
    error_message = "A policy names another bucket."
  }
}

run "nobody_may_change_the_bucket" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for document in output.documents : [
        for statement in jsondecode(document).Statement : [
          for action in flatten([statement.Action]) : contains([
            "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload"
          ], action)
        ]
      ]
    ]))
    error_message = "A policy allows more than reading, writing, deleting and listing objects."
  }
}
