import functools
from collections.abc import Callable

import pytest
import torch
from jsonargparse import ArgumentParser

from seqforge.encoders import GRU, LSTM, RNN, Encoder, EncoderError, EncoderFactory, encoder_class
from seqforge.state import State


class Sizeless(Encoder):
    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.input_size = input_size

    def start(self, batch_size: int) -> State:
        return ()


class NeverCausal(Sizeless):
    causal = False

    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)
        self.output_size = 1


class Model:
    def __init__(
        self,
        encoder: Callable[[int], Encoder],
        roles: dict[str, Callable[[int], Encoder]] | None = None,
    ) -> None:
        self.factory = EncoderFactory(encoder, roles)


def parsed() -> EncoderFactory:
    """As a YAML file gives it."""
    parser = ArgumentParser()
    parser.add_class_arguments(Model, "model")
    lstm = {"class_path": "seqforge.encoders.LSTM", "init_args": {"hidden_size": 6}}
    lstm_both = {**lstm, "init_args": {"hidden_size": 6, "bidirectional": True}}
    gru = {"class_path": "seqforge.encoders.GRU", "init_args": {"hidden_size": 4}}
    config = parser.parse_object({"model": {"encoder": lstm_both, "roles": {"decoder": gru}}})
    model: Model = parser.instantiate(config).model
    return model.factory


def test_a_partial_is_built_with_the_input_size() -> None:
    encoder = EncoderFactory(functools.partial(LSTM, hidden_size=6, num_layers=2))(3)
    assert isinstance(encoder, LSTM)
    assert (encoder.input_size, encoder.output_size, encoder.num_layers) == (3, 6, 2)


def test_a_bare_class_works() -> None:
    assert isinstance(EncoderFactory(RNN)(3), RNN)
    assert encoder_class(RNN) is RNN


def test_what_the_parser_makes_works() -> None:
    factory = parsed()
    assert encoder_class(factory.encoder) is LSTM
    assert not factory(3).causal
    assert factory(3).output_size == 12
    causal = factory(3, causal=True)
    assert causal.causal
    assert causal.output_size == 6
    decoder = factory(3, role="decoder")
    assert isinstance(decoder, GRU)
    assert decoder.output_size == 4
    assert isinstance(factory(3, role="anything"), LSTM)


def test_causal_none_keeps_what_is_configured() -> None:
    assert EncoderFactory(LSTM)(3).causal
    assert not EncoderFactory(functools.partial(LSTM, bidirectional=True))(3).causal


def test_causal_false_asks_for_both_ways() -> None:
    assert not EncoderFactory(GRU)(3, causal=False).causal


def test_one_that_is_never_causal_is_refused_where_one_is_needed() -> None:
    factory = EncoderFactory(NeverCausal)
    assert isinstance(factory(3), NeverCausal)
    with pytest.raises(EncoderError, match="NeverCausal is not causal, and role 'decoder'"):
        factory(3, role="decoder", causal=True)


def test_a_missing_attribute_is_named() -> None:
    with pytest.raises(EncoderError, match="Sizeless has no int attribute 'output_size'"):
        EncoderFactory(Sizeless)(3)


def test_what_is_no_encoder_class_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"a class or a functools\.partial"):
        EncoderFactory(lambda size: LSTM(size))(3)
    with pytest.raises(EncoderError, match="positional"):
        encoder_class(functools.partial(LSTM.__call__, LSTM, 3))


def test_shared_hands_out_one_instance_per_role_and_direction() -> None:
    factory = EncoderFactory(functools.partial(LSTM, hidden_size=4))
    shared = factory.shared()
    assert shared(3) is shared(3)
    assert shared(3) is not shared(3, role="decoder")
    assert shared(3) is not shared(3, causal=False)
    assert factory(3) is not factory(3)
    assert factory.shared()(3) is not shared(3)


def test_shared_refuses_another_input_size() -> None:
    shared = EncoderFactory(functools.partial(LSTM, hidden_size=4)).shared()
    shared(3)
    with pytest.raises(EncoderError, match="reads 3 features, and another task asks for 5"):
        shared(5)


def test_describe_gives_classes_and_keyword_values() -> None:
    factory = EncoderFactory(functools.partial(LSTM, hidden_size=6), {"decoder": GRU})
    assert factory.describe() == {
        "encoder": {"class": LSTM, "init_args": {"hidden_size": 6}},
        "roles": {"decoder": {"class": GRU, "init_args": {}}},
    }
    from_yaml = parsed().describe()
    assert from_yaml["encoder"]["class"] is LSTM
    assert from_yaml["encoder"]["init_args"]["hidden_size"] == 6


def test_building_with_another_direction_leaves_the_configuration_alone() -> None:
    factory = EncoderFactory(functools.partial(LSTM, hidden_size=4, bidirectional=True))
    factory(3, causal=True)
    assert factory.describe()["encoder"]["init_args"]["bidirectional"] is True
    outputs, _ = factory(3)(torch.ones(1, 2, 3))
    assert outputs.shape == (1, 2, 8)


def test_shared_encoders_are_told_apart_by_their_direction_not_by_the_question() -> None:
    factory = EncoderFactory(functools.partial(LSTM, hidden_size=4)).shared()
    assert factory(3) is factory(3, causal=True)
    assert factory(3, causal=False) is not factory(3)
    plain = EncoderFactory(functools.partial(LSTM, hidden_size=4, bidirectional=True)).shared()
    assert plain(3) is plain(3, causal=False)
