"""What people changed or want undone, put right by new documents."""
