//! Spans named after the stages, and logs. No SQL, literal, row or personal value stands in any.

use crate::Config;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging to standard error, and sending spans where the configuration says so.
///
/// Needs a runtime's context. Gives back what must be shut down at the end.
pub(crate) fn start(config: &Config) -> Option<SdkTracerProvider> {
    let filter = EnvFilter::try_new(&config.log_filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    let provider = config.otlp_endpoint.as_ref().and_then(|endpoint| {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build();
        let exporter = exporter.ok()?;
        Some(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .build(),
        )
    });
    let spans = provider.as_ref().map(|provider| {
        // The exporter's own transport must not trace itself.
        let ours = EnvFilter::new("off,gateway=info,dispatch=info,egress=info,ledger=info");
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("bonded"))
            .with_filter(ours)
    });
    let started = tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    provider
}
