"""A training in PyTorch: nn-run --weights '*.pt' -p lr=0.1 -- python3 pytorch_loop.py

--weights records the norms of all layers in each checkpoint: nn-plot -y 'norm/*' --log last
"""
import torch

import nn  # PYTHONPATH=PREFIX/share/nn

p = nn.params(lr=0.1, epochs=5)
torch.manual_seed(0)
inputs = torch.randn(256, 4)
targets = inputs @ torch.tensor([[1.0], [-2.0], [3.0], [0.0]])
net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=p["lr"])
first = 1
if nn.resume():
    saved = torch.load(nn.resume())
    net.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    first = saved["epoch"] + 1
for epoch in range(first, p["epochs"] + 1):
    optimizer.zero_grad()
    loss = ((net(inputs) - targets) ** 2).mean()
    loss.backward()
    norm = sum(w.grad.norm() ** 2 for w in net.parameters()) ** 0.5
    optimizer.step()
    nn.log(epoch=epoch, train_loss=loss, grad_norm=norm)
    with nn.saving("epoch-%d.pt" % epoch) as path:
        torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, path)
