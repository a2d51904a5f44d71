"""What anybody asks of the stored story, without writing."""
