"""The launcher: a stdlib-only program that makes cells inside a container.

Theory of operation
-------------------
The core starts a container whose PID 1 is `main.main`. It connects to the core's control
socket and becomes a *forge* (`forge`): it reads requests and forks. A forge can fork

- a *template*: a copy of itself that loads a language's preloads and is a forge too, and
- a *cell*: two processes in new namespaces. The first (`init`) is PID 1 of the cell; it joins
  the cell's cgroup leaf, builds the mount tree (`jail`), forks the second, and afterwards only
  waits. The second (`program`) gives up every privilege, rehearses, says "parked" on the cell's
  own socket and blocks there. One message from the core holds the code and the descriptors of
  stdin, stdout and stderr; the program's output never passes through us.

When the program ends, init reports how, and waits for the core to ask for output files or to
kill it. PID 1's death takes the whole PID namespace with it, so the core needs one pidfd to
end a cell, whatever the cell did. When the core dies, the control socket closes, the container's
PID 1 exits, and everything in the container is killed by the kernel.

The package is mounted read-only into every container and imported there under the name
`launcher`, hence the relative imports; only `wire` is used on both sides. It must run on
Python >= 3.9, import nothing but the standard library, and know nothing of HTTP, languages or
policy: it does what the core tells it.
"""
