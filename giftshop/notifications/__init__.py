"""What people are told: alerts, the letters that acts cause, news, and the owner's daily report."""
