"""What is claimed of the theory and what is known of it: claims, proofs, and the ledger of their status."""
