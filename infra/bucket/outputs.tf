output "store" {
  description = "TOPFIVE_STORE of services and trainers."
  value       = "s3://${aws_s3_bucket.models.bucket}"
}

output "users" {
  description = "Users to make access keys for."
  value       = { for name, user in aws_iam_user.topfive : name => user.name }
}
