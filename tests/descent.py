"""Gradient descent for the tests' tiny experiments, as source text that goes into them.

At its first use an optimizer of torch's own imports torch's compiler: a second of processor time in every trial. These
steps are the same to the bit (`tests/test_descent.py`).
"""

SGD = '''

class SGD:
    """Plain gradient descent."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        self.parameters, self.lr, self.weight_decay = list(parameters), lr, weight_decay

    def zero_grad(self):
        for one in self.parameters:
            one.grad = None

    @torch.no_grad()
    def step(self):
        for one in self.parameters:
            if one.grad is not None:
                one.add_(one.grad.add(one, alpha=self.weight_decay) if self.weight_decay else one.grad, alpha=-self.lr)
'''


def by_hand(source: str) -> str:
    """An experiment's source with `SGD`, at its end, where it says `torch.optim.SGD`."""
    assert "torch.optim.SGD(" in source
    return source.replace("torch.optim.SGD(", "SGD(") + SGD
