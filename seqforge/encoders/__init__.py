"""Recurrent encoders, their interface, and what builds and starts them."""

from .base import Encoder as Encoder
from .base import EncoderError as EncoderError
from .base import LayerActivations as LayerActivations
from .bridge import Bridge as Bridge
from .factory import EncoderFactory as EncoderFactory
from .factory import encoder_class as encoder_class
from .gru import GRU as GRU
from .lstm import LSTM as LSTM
from .rnn import RNN as RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bridge",
    "Encoder",
    "EncoderError",
    "EncoderFactory",
    "LayerActivations",
    "encoder_class",
]
