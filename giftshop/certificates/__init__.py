"""What we sell: certificates, their codes, their ledger, their look on paper."""
