//! `GET /metrics`: what the server does, in Prometheus' text format 0.0.4.

use std::fmt::{Display, Write};
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serving::{Histogram, Metrics};

use crate::app::App;

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Tells what the server does, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let text = text(&app.server.metrics(), app.connections(), app.started());
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], text)
}

/// `started` is in seconds since 1970.
fn text(metrics: &Metrics, connections: usize, started: f64) -> String {
    let mut page = Page::default();
    page.gauge("queue_length", "Pictures that wait.", metrics.queued);
    page.gauge("running", "Pictures that are worked on.", metrics.running);
    page.gauge(
        "running_rows",
        "Rows of the batch that is worked on.",
        metrics.rows,
    );
    page.gauge("connections", "Connections that are open.", connections);
    page.begin(
        "requests_total",
        "counter",
        "Pictures, by what became of them.",
    );
    for (outcome, count) in [
        ("finished", metrics.finished),
        ("refused", metrics.refused),
        ("cancelled", metrics.cancelled),
        ("late", metrics.late),
        ("failed", metrics.failed),
    ] {
        page.sample(
            "requests_total",
            &format!("{{outcome=\"{outcome}\"}}"),
            count,
        );
    }
    page.counter(
        "accepted_total",
        "Pictures that were accepted.",
        metrics.accepted,
    );
    page.counter(
        "panics_total",
        "Pictures at which the work panicked.",
        metrics.panicked,
    );
    page.counter("tokens_total", "Tokens of captions.", metrics.tokens);
    page.counter("steps_total", "Steps of the decoder.", metrics.steps);
    page.histogram("step_rows", "Rows of each step.", &metrics.step_rows);
    page.histogram(
        "waiting_seconds",
        "Seconds that pictures waited.",
        &metrics.waiting,
    );
    page.histogram(
        "request_seconds",
        "Seconds from the acceptance of a picture to its end.",
        &metrics.total,
    );
    page.gauge(
        "start_time_seconds",
        "When the server started, in seconds since 1970.",
        started,
    );
    page.text
}

/// Names begin with `captions_`.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP captions_{name} {help}"));
        self.line(format_args!("# TYPE captions_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        self.line(format_args!("captions_{name}{labels} {value}"));
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.begin(name, "counter", help);
        self.sample(name, "", value);
    }

    /// Prometheus counts in each range all values below its bound.
    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.begin(name, "histogram", help);
        let mut below = 0;
        for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
            below += count;
            self.sample(
                &format!("{name}_bucket"),
                &format!("{{le=\"{bound}\"}}"),
                below,
            );
        }
        self.sample(
            &format!("{name}_bucket"),
            "{le=\"+Inf\"}",
            histogram.count(),
        );
        self.sample(&format!("{name}_sum"), "", histogram.sum);
        self.sample(&format!("{name}_count"), "", histogram.count());
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_histogram_add_up() {
        let mut page = Page::default();
        let histogram = Histogram {
            bounds: &[0.5, 1.0],
            counts: vec![1, 2, 3],
            sum: 9.5,
        };
        page.histogram("waiting_seconds", "Help.", &histogram);
        let expected = "\
            # HELP captions_waiting_seconds Help.\n\
            # TYPE captions_waiting_seconds histogram\n\
            captions_waiting_seconds_bucket{le=\"0.5\"} 1\n\
            captions_waiting_seconds_bucket{le=\"1\"} 3\n\
            captions_waiting_seconds_bucket{le=\"+Inf\"} 6\n\
            captions_waiting_seconds_sum 9.5\n\
            captions_waiting_seconds_count 6\n";
        assert_eq!(page.text, expected);
    }
}
