"""What we sell: certificates, their codes, how they are issued, found and frozen."""
