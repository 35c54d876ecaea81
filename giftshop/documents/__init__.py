"""What is printed: certificates and reports on paper, their drawings, their letters and their QR code."""
