"""The captured mailbox: takes the shop's messages in place of a mail server, and shows them."""
