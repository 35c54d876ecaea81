"""What is changed after a sale: by the buyer of a gift, and by managers on a certificate."""
