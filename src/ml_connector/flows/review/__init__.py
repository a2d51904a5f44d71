"""What a person reads before and after: plans, their application, shadows and proofs."""
