"""On PYTHONPATH, this puts programs that a test starts on the pretended GPU as well."""

from pretended_gpu import enter

enter()
