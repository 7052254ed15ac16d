"""The launcher: a stdlib-only program that makes cells inside a container.

Theory of operation
-------------------
The core starts a container whose PID 1 is `main.main`, the launcher. It connects to the core's
control socket and forks the *warden* (`warden`), which makes the first process of each cell, its
*init*: a kernel task that runs no code, shares the warden's memory, and only holds the cell's
namespaces. The core gets its pidfd. As it is PID 1 of a PID namespace, its death takes every
process of the cell along, whatever the cell did; so the core needs nothing else to end a cell.

The launcher is a *forge* (`forge`): it reads requests and forks. A forge can fork

- a *template*: a copy of itself that loads a language's preloads and is a forge too, and
- a cell's *program* (`cell`): a process that joins the cell's cgroup leaf, enters the init's
  namespaces, builds the mount tree (`jail`), gives up every privilege, rehearses, says "parked"
  on the cell's own socket and blocks there. One message from the core holds the code and the
  descriptors of stdin, stdout and stderr; the program's output never passes through us.

A program that ends well says so through a FIFO before the kernel tears its memory down; any
other end the forge learns as its parent, and reports. Files are brought back (`harvest`) by a
child of the forge that enters the cell, which its init keeps in being until the core kills it.
When the core dies, the control socket closes, the container's PID 1 exits, and the kernel kills
everything in the container.

The package is mounted read-only into every container and imported there under the name
`launcher`, hence the relative imports; the core itself uses `wire` and a constant of `program`.
It must run on Python >= 3.9, import nothing but the standard library, and know nothing of HTTP,
languages or policy: it does what the core tells it.
"""
