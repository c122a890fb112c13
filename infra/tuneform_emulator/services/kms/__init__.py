"""Cloud KMS: key rings, keys and their versions."""
