variable "bucket" {
  description = "Name of the bucket for models and images; unique in all of S3."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 63 small letters, digits and dashes (dots break its certificate)."
  }
}

variable "keep_old_days" {
  description = "Days for which what was overwritten or deleted can be brought back."
  type        = number
  default     = 90

  validation {
    condition     = var.keep_old_days >= 7
    error_message = "Less than a week leaves no time to notice a loss."
  }
}

variable "rare_after_days" {
  description = "Days after which images that came in are read rarely: each run reads the new ones alone."
  type        = number
  default     = 90
}
