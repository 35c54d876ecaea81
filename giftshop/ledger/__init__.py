"""The ledger: every movement of money as an entry that is never changed, and the proof that it adds up."""
