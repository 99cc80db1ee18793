"""A copy of a network that trains faster on PyTorch, with the same weights.

On its PyTorch backend Keras transposes images twice around each convolution and normalises by a
dozen element-wise operators; here both are PyTorch's own kernels. All other layers compute in
bfloat16 on processors that multiply it. The trained weights are copied back by `get_weights` and
`set_weights`.

Legend: N images, H and W their sides, C channels.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

_FLOAT32_SUFFIXES = ("answer", "answers")  # layers of predictions, by the ends of their names


@keras.saving.register_keras_serializable("train")
class DirectConv2D(layers.Conv2D):
    """A convolution over channels-last memory without transposing it."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve `(N, H, W, C)` with a kernel `(h, w, C, filters)`."""
        if keras.backend.backend() != "torch":
            return super().convolution_op(inputs, kernel)
        import torch

        images, padding = self._pad(inputs.permute(0, 3, 1, 2))
        filters = keras.ops.convert_to_tensor(kernel)
        weights = filters.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        outputs = torch.nn.functional.conv2d(images, weights, None, self.strides, padding)
        return outputs.permute(0, 2, 3, 1)

    def _pad(self, images: Any) -> tuple[Any, tuple[int, ...]]:
        """Images `(N, C, H, W)`, padded if need be, and the padding left to the convolution."""
        if self.padding != "same":
            return images, (0, 0)
        import torch

        sides = zip(images.shape[2:], self.strides, self.kernel_size, strict=True)
        total = [
            max((-(-length // stride) - 1) * stride + size - length, 0)
            for length, stride, size in sides
        ]
        if not any(pixels % 2 for pixels in total):
            return images, tuple(pixels // 2 for pixels in total)
        # TensorFlow's convention: an odd pixel is added at the end.
        vertical, horizontal = ((pixels // 2, pixels - pixels // 2) for pixels in total)
        return torch.nn.functional.pad(images, (*horizontal, *vertical)), (0, 0)


@keras.saving.register_keras_serializable("train")
class FusedNormalization(layers.BatchNormalization):
    """Batch normalisation by PyTorch's fused kernel during training, by Keras otherwise.

    The moving variance is the unbiased one, divided by N − 1, as PyTorch computes it.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise `(N, H, W, C)`."""
        if not training or keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        import torch

        outputs = torch.nn.functional.batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return outputs.permute(0, 2, 3, 1)


def with_torch_layers(network: Any) -> Any:
    """A faster copy of a network with the same weights; on other backends the network itself."""
    if keras.backend.backend() != "torch":
        return network
    policy = "mixed_bfloat16" if supports_bfloat16() else "float32"

    def convert(layer: Any) -> Any:
        config = layer.get_config()
        if not layer.name.endswith(_FLOAT32_SUFFIXES) and not isinstance(layer, layers.InputLayer):
            config["dtype"] = policy
        if isinstance(layer, layers.BatchNormalization):
            return FusedNormalization.from_config(config)
        if isinstance(layer, layers.Conv2D):
            return DirectConv2D.from_config(config)
        return type(layer).from_config(config)

    copy = keras.models.clone_model(network, clone_function=convert)
    copy.set_weights(network.get_weights())
    return copy


def supports_bfloat16() -> bool:
    """Whether PyTorch's device multiplies bfloat16 itself."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # On other CPUs PyTorch emulates it, which is slower than float32.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return bool(supported())
