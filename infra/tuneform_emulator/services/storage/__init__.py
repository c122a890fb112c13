"""What Cloud Storage's resources are made of; the resources themselves are `services/buckets.py` and `objects.py`."""
