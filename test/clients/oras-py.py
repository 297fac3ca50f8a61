"""
Drives oras-py, which is a library without a command line. BACKEND is how it sends its login: `token`, which is its default,
or `basic`. Each run is a program of its own, which knows from earlier
runs only what oras-py wrote to the file of logins.

    oras-py.py HOST BACKEND login USER            the password comes from standard input
    oras-py.py HOST BACKEND push REPOSITORY:TAG FILE
    oras-py.py HOST BACKEND push-chunked REPOSITORY:TAG FILE BYTES
    oras-py.py HOST BACKEND pull REPOSITORY:TAG FOLDER
    oras-py.py HOST BACKEND tags REPOSITORY
    oras-py.py HOST BACKEND delete-tag REPOSITORY TAG

Prints what the library returned; ends with its error otherwise.
"""

import os
import sys

import oras.client

# One attempt: by default it makes five of every request, for any refusal, and waits longer before each.
oras.provider.Registry.do_request = oras.provider.Registry.do_request.__wrapped__

host, backend, operation, *arguments = sys.argv[1:]
logins = os.path.join(os.environ["DOCKER_CONFIG"], "config.json")
client = oras.client.OrasClient(hostname=host, insecure=True, auth_backend=backend)


def named(repository):
    """The repository with the logins of the file."""
    container = client.get_container(f"{host}/{repository}")
    client.auth.load_configs(container, configs=[logins])
    return container


def login(user):
    return client.login(user, sys.stdin.read(), hostname=host, config_path=logins)


def push(target, path, **chunks):
    answer = client.push(f"{host}/{target}", config_path=logins, files=[path], quiet=True, **chunks)
    return answer.headers["Docker-Content-Digest"]


def push_chunked(target, path, size):
    return push(target, path, do_chunked=True, chunk_size=int(size))


def pull(target, folder):
    return client.pull(f"{host}/{target}", config_path=logins, outdir=folder)


def tags(repository):
    return "\n".join(client.get_tags(named(repository)))


def delete_tag(repository, tag):
    return client.delete_tag(named(f"{repository}:{tag}"), tag)


operations = {
    "login": login,
    "push": push,
    "push-chunked": push_chunked,
    "pull": pull,
    "tags": tags,
    "delete-tag": delete_tag,
}
print(operations[operation](*arguments))
