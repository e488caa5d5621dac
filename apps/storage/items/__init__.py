"""How an entity is stored: its item in DynamoDB's JSON, its keys, its earlier forms, its size."""
