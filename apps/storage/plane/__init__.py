"""How a request reaches the store and its answer comes back, through boto3's client."""
