"""One optimiser step with PyTorch's autograd."""

import torch


class TorchSteps:
    def train_step(self, data):
        inputs = self.unpack_batch(data)
        self.zero_grad()  # torch.nn.Module's: the gradients of the step before
        loss, terms = self.negative_elbo(inputs, training=True)
        self.optimizer.scale_loss(loss).backward()
        trainable = list(self.trainable_weights)
        gradients = [variable.value.grad for variable in trainable]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable)
            return self.update_metrics(loss.detach(), terms, inputs["frames"].shape[0])

    def test_step(self, data):
        inputs = self.unpack_batch(data)
        loss, terms = self.negative_elbo(inputs, training=False)
        return self.update_metrics(loss, terms, inputs["frames"].shape[0])
