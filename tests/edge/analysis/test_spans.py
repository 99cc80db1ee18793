from edge.analysis.spans import Span, SpanDetector, SpanSettings

SETTINGS = SpanSettings(enter=0.5, leave=0.3, min_s=1.0, max_gap_s=0.25)


def spans(pairs):
    detector = SpanDetector(SETTINGS)
    found = [span for time, value in pairs for span in detector(time, value)]
    return found + list(detector.finish())


def test_a_span_lasts_from_enter_to_leave():
    values = [0.4, 0.6, 0.4, 0.9, 0.9, 0.9, 0.35, 0.1, 0.1, 0.1]
    (span,) = spans([(i * 0.25, v) for i, v in enumerate(values)])
    assert span == Span(0.25, 1.5, 0.9, (0.6 + 0.4 + 3 * 0.9 + 0.35) / 6)


def test_short_spans_are_dropped_and_short_gaps_bridged():
    high = [(i * 0.125, 0.8) for i in range(8)]
    assert spans(high) == []
    (span,) = spans([*high, (1.0, 0.1), *((i * 0.125, 0.8) for i in range(9, 16))])
    assert (span.start, span.end) == (0.0, 1.875)


def test_longer_gaps_end_a_span():
    pairs = [(i * 0.125, 0.8) for i in (*range(10), *range(14, 24))]
    assert [(s.start, s.end) for s in spans(pairs)] == [(0.0, 1.125), (1.75, 2.875)]


def test_what_is_in_progress_is_finished_once():
    detector = SpanDetector(SETTINGS)
    for i in range(20):
        assert list(detector(i * 0.1, 0.8)) == []
    assert len(list(detector.finish())) == 1
    assert list(detector.finish()) == []
