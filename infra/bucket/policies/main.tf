# The policies by role. No provider: this module can be tested anywhere.
variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

output "documents" {
  description = "JSON of each role's policy."
  value = {
    for role in ["server", "feedback", "trainer"] :
    role => templatefile("${path.module}/${role}.json", { bucket = var.bucket })
  }
}
