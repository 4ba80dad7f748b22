# Who may do what: policies/*.json, one role each. Keys are made by hand, so that no secret stands in
# the state (aws iam create-access-key --user-name NAME), and replaced by infra/RUNBOOK.md.
module "policies" {
  source = "./policies"
  bucket = var.bucket
}

locals {
  # The service that takes feedback brings images too; one that does not has the first alone.
  users = {
    server   = ["server"]
    feedback = ["server", "feedback"]
    trainer  = ["trainer"]
  }
  grants = merge([
    for user, roles in local.users : {
      for role in roles : "${user}/${role}" => { user = user, role = role }
    }
  ]...)
}

resource "aws_iam_user" "topfive" {
  for_each = local.users
  name     = "${var.bucket}-${each.key}"
}

resource "aws_iam_user_policy" "topfive" {
  for_each = local.grants
  name     = each.value.role
  user     = aws_iam_user.topfive[each.value.user].name
  policy   = module.policies.documents[each.value.role]
}
