//! The custom metrics of the plugins of this process.
//!
//! Must not depend on: how plugins are loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::registry::CustomMetrics;
use super::snapshot::CustomMetricStats;
use crate::sync::Mutex;

/// By the plugins' names. The releases of a plugin share its metrics.
static PLUGINS: Mutex<BTreeMap<String, Arc<CustomMetrics>>> = Mutex::new(BTreeMap::new());

/// A plugin with the custom metrics that belong to none of its channels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PluginMetrics {
    /// The plugin's name.
    pub name: String,
    /// Its metrics.
    pub custom_metrics: Vec<CustomMetricStats>,
}

/// The custom metrics of the plugin of this name. Any thread.
pub fn custom_metrics_of_plugin(name: &str) -> Arc<CustomMetrics> {
    let mut plugins = PLUGINS.lock();
    if let Some(metrics) = plugins.get(name) {
        return Arc::clone(metrics);
    }
    Arc::clone(plugins.entry(name.to_owned()).or_default())
}

/// The plugins that have custom metrics. Any thread.
pub fn plugin_metrics() -> Vec<PluginMetrics> {
    let plugins = PLUGINS.lock().clone();
    let stats = plugins
        .into_iter()
        .map(|(name, metrics)| PluginMetrics { name, custom_metrics: metrics.stats() });
    stats.filter(|plugin| !plugin.custom_metrics.is_empty()).collect()
}
