"""A twin of a network that trains in less time on PyTorch, with the same weights.

Keras lays a picture out anew twice before each convolution and normalises by a dozen operators
that each read and write every number; here both are PyTorch's own kernels. The rest computes in
bfloat16 where the processor multiplies such numbers. What a twin has learnt goes back by
`get_weights` and `set_weights`.

Legend: N pictures, H and W their sides, C channels.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

_EXACT = ("answer", "answers")  # ends of the names of layers that stay in float32


@keras.saving.register_keras_serializable("train")
class DirectConv2D(layers.Conv2D):
    """A convolution that takes pictures as they lie in memory, channels last."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve `(N, H, W, C)` with a kernel `(h, w, C, filters)`."""
        if keras.backend.backend() != "torch":
            return super().convolution_op(inputs, kernel)
        import torch

        pictures = inputs.permute(0, 3, 1, 2)
        padding: tuple[int, ...] = (0, 0)
        if self.padding == "same":
            around = [
                max((-(-length // step) - 1) * step + size - length, 0)
                for length, step, size in zip(
                    pictures.shape[2:], self.strides, self.kernel_size, strict=True
                )
            ]
            if any(pad % 2 for pad in around):  # TensorFlow's way: one more at the end
                (down, across) = ((pad // 2, pad - pad // 2) for pad in around)
                pictures = torch.nn.functional.pad(pictures, (*across, *down))
            else:
                padding = tuple(pad // 2 for pad in around)
        filters = keras.ops.convert_to_tensor(kernel)
        weights = filters.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        answer = torch.nn.functional.conv2d(pictures, weights, None, self.strides, padding)
        return answer.permute(0, 2, 3, 1)


@keras.saving.register_keras_serializable("train")
class FusedNormalization(layers.BatchNormalization):
    """Batch normalisation in PyTorch's own kernel while training; Keras's otherwise.

    The moving variance is that of N − 1 numbers, as PyTorch has it, not of N.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise `(N, H, W, C)`."""
        if not training or keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        import torch

        normal = torch.nn.functional.batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return normal.permute(0, 2, 3, 1)


def hasten(network: Any) -> Any:
    """The twin of a network, with its weights; the network itself where Keras runs elsewhere."""
    if keras.backend.backend() != "torch":
        return network
    policy = "mixed_bfloat16" if _multiplies_bfloat16() else "float32"

    def twin(layer: Any) -> Any:
        config = layer.get_config()
        if not layer.name.endswith(_EXACT) and not isinstance(layer, layers.InputLayer):
            config["dtype"] = policy
        if isinstance(layer, layers.BatchNormalization):
            return FusedNormalization.from_config(config)
        if isinstance(layer, layers.Conv2D):
            return DirectConv2D.from_config(config)
        return type(layer).from_config(config)

    hastened = keras.models.clone_model(network, clone_function=twin)
    hastened.set_weights(network.get_weights())
    return hastened


def _multiplies_bfloat16() -> bool:
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # Elsewhere PyTorch only emulates it, which takes longer than float32.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return bool(supported())
