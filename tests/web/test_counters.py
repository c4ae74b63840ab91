from apple_clf.web.counters import Counters


def test_counts_are_in_the_text_format_of_prometheus() -> None:
    counters = Counters()
    counters.count("/predict", 200, seconds=0.004)
    counters.count("/predict", 200, seconds=0.04)
    counters.count("other", 404, seconds=20)
    lines = counters.text({"waiting_requests": 3}).splitlines()
    assert 'apple_clf_requests_total{path="/predict",status="200"} 2' in lines
    assert 'apple_clf_requests_total{path="other",status="404"} 1' in lines
    assert 'apple_clf_request_seconds_bucket{le="0.005"} 1' in lines
    assert 'apple_clf_request_seconds_bucket{le="0.05"} 2' in lines
    assert 'apple_clf_request_seconds_bucket{le="10"} 2' in lines
    assert 'apple_clf_request_seconds_bucket{le="+Inf"} 3' in lines
    assert "apple_clf_request_seconds_sum 20.044000" in lines
    assert lines[-1] == "apple_clf_waiting_requests 3"
