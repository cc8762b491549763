"""A GPU that is pretended, so that a machine without one finds what a GPU would refuse.

Tensors are real and on the CPU, with real numbers and gradients, but say that they are on cuda:0
once they were moved there. What a GPU refuses raises here too: a mix of devices, `.numpy()` of a
tensor on the device, a CPU generator for numbers on the device, nccl with tensors of the CPU,
weights loaded without `map_location`, a CUDA tensor in a forked process. One rule is the project's
own: random numbers are drawn on the CPU, so that a seed means the same on every device; to draw on
the device raises. What makes the host wait for the device is counted (`Waits`).

There are no kernels here, no memory of a device, no nccl and no numerics of CUDA.

What it catches: of 28 places in harness/ where a `.to`, `.cpu` or `device=` was taken away, one at
a time, the tests of `make test-pretended` failed at 20. At 7 of the others nothing is lost on a GPU
either (the tensor is there already, or moved later); one, a saved context that `init` puts before
new names, no test among them reaches. It was counted with all tests of the files in chosen.txt.

`make test-pretended` runs the tests that chosen.txt names: training, evaluation, checkpoints,
temporal modules, text towers, search and processes, 75 s of CPU. A test that cannot hold here is
marked `real_cpu("why")`.
"""

from pretended_gpu.machine import enter, pretended_gpu
from pretended_gpu.mode import Waits

__all__ = ["Waits", "enter", "pretended_gpu"]
