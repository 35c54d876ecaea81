"""What stands before the shop, nginx or Caddy, and before the simulated Stripe: TLS and nothing clever."""

import subprocess
from pathlib import Path

from tests.rig.network import EDGE, FRONT, OTHER, SHOP
from tests.rig.waiting import wait_for_port

_NGINX = """
user root;
daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  {servers}
}}
"""
_TLS = """
  server {{
    listen {address}:443 ssl;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    client_max_body_size 40m;
    location / {{
      proxy_pass http://127.0.0.1:{port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host {host};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
"""
_TO_TLS = "server {{ listen {address}:80; return 301 https://$host$request_uri; }}"
_CADDY = """
{{
  admin off
  auto_https off
}}
https://{shop}, https://{other} {{
  bind {address}
  tls {chain} {key}
  reverse_proxy 127.0.0.1:8000
}}
http://{shop}, http://{other} {{
  bind {address}
  redir https://{{host}}{{uri}} 301
}}
"""


def start_front(kind: str, folder: Path, certificate: tuple[Path, Path]) -> "subprocess.Popen[bytes]":
    """Start nginx or Caddy before the shop."""
    chain, key = certificate
    if kind == "nginx":
        servers = _TLS.format(address=FRONT, chain=chain, key=key, port=8000, host="$http_host")
        return _start_nginx("front", folder, servers + _TO_TLS.format(address=FRONT), FRONT)
    file = folder / "Caddyfile"
    file.write_text(_CADDY.format(address=FRONT, chain=chain, key=key, shop=SHOP, other=OTHER))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder / "caddy")}
    with (folder / "caddy.log").open("ab") as log:
        command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    wait_for_port(FRONT, 443, process)
    return process


def start_edge(folder: Path, certificate: tuple[Path, Path], port: int) -> "subprocess.Popen[bytes]":
    """Start what answers for Stripe's names and leads to the workbench, which answers to its own name only."""
    chain, key = certificate
    servers = _TLS.format(address=EDGE, chain=chain, key=key, port=port, host=f"127.0.0.1:{port}")
    return _start_nginx("edge", folder, servers, EDGE)


def _start_nginx(name: str, folder: Path, servers: str, address: str) -> "subprocess.Popen[bytes]":
    file = folder / f"{name}.conf"
    file.write_text(_NGINX.format(name=name, folder=folder, servers=servers))
    with (folder / f"{name}.log").open("ab") as log:
        command = ["/usr/sbin/nginx", "-e", str(folder / f"{name}.log"), "-c", str(file)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    wait_for_port(address, 443, process)
    return process
