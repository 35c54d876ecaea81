"""Postfix with sign-in, encryption and an opinion about senders; what it passes on arrives in memory."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.delivery.mail_servers import MailServer
from tests.rig.network import MAIL, POST, lay_over
from tests.rig.waiting import wait_for_port

USER, PASSWORD, SENDER = "shop", "se/cret word", "gifts@practice.example"
UNKNOWN, FULL = "nobody@friends.example", "full@friends.example"
SINK = 2526
_MAIN = """
compatibility_level = 3.6
myhostname = {host}
mydestination =
inet_interfaces = {address}
inet_protocols = ipv4
relayhost = [127.0.0.1]:{sink}
smtp_tls_security_level = none
queue_run_delay = 5s
minimal_backoff_time = 5s
message_size_limit = 3000000
maillog_file =
smtpd_tls_chain_files = {folder}/{host}.both
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
cyrus_sasl_config_path = /etc/postfix/sasl
smtpd_sasl_local_domain = {host}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sender_login_maps = texthash:/etc/postfix/senders
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/recipients, permit
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
"""
_MASTER = """
587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
2525 inet n - n - - smtpd -o smtpd_tls_security_level=none
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
"""


class Post:
    """The mail server, and what it passed on (`sink.arrived`)."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path]) -> None:
        self._folder, self.sink = folder, MailServer(port=SINK)
        chain, key = certificate
        (folder / f"{MAIL}.both").write_bytes(key.read_bytes() + chain.read_bytes())

    def open(self) -> None:
        """Lay its folders over Postfix's own, and start it."""
        self.sink.open()
        for name, theirs in (
            ("postfix", "/etc/postfix"),
            ("queue", "/var/spool/postfix"),
            ("data", "/var/lib/postfix"),
        ):
            mine = self._folder / name
            shutil.copytree(theirs, mine, symlinks=True) if name == "postfix" else mine.mkdir()
            lay_over(mine, Path(theirs))
        shutil.chown("/var/lib/postfix", "postfix")
        sasl = Path("/etc/postfix/sasl")
        sasl.mkdir(exist_ok=True)
        secrets = self._folder / "sasldb2"
        (sasl / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {secrets}\n"
        )
        words = ["saslpasswd2", "-p", "-c", "-f", str(secrets), "-u", MAIL, USER]
        subprocess.run(words, input=PASSWORD.encode(), check=True)
        shutil.chown(secrets, "postfix")
        main = _MAIN.format(host=MAIL, address=POST, folder=self._folder, sink=SINK)
        Path("/etc/postfix/main.cf").write_text(main)
        Path("/etc/postfix/master.cf").write_text(_MASTER)
        Path("/etc/postfix/recipients").write_text(
            f"{UNKNOWN} 550 5.1.1 Recipient address rejected: User unknown\n{FULL} 552 5.2.2 mailbox full\n"
        )
        self.own(USER)
        with (self._folder / "postfix.log").open("ab") as log:
            subprocess.run(["/usr/sbin/postfix", "start"], stdout=log, stderr=log, check=True, env=_ENVIRONMENT)
        for port in (587, 465, 2525):
            wait_for_port(POST, port)

    def own(self, user: str) -> None:
        """Let a user, and nobody else, own the shop's sender address; at once."""
        Path("/etc/postfix/senders").write_text(f"{SENDER} {user}@{MAIL}\n")
        if Path("/var/spool/postfix/pid/master.pid").exists():
            log = (self._folder / "postfix.log").open("ab")
            with log:
                subprocess.run(["/usr/sbin/postfix", "reload"], stdout=log, stderr=log, check=True, env=_ENVIRONMENT)


_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": os.environ.get("LC_ALL", "C")}
