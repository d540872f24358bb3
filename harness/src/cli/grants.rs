//! What a hand without a daemon is given: a folder of this machine, and hosts that it may ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use sinew_runtime::Resources;
use sinew_runtime::fs::Rights;

use super::ConfigArgs;
use crate::egress::{Client, Denial, HostPattern, PlainEgress, Policy};

#[derive(Args)]
pub(super) struct GrantArgs {
    /// Folder of this machine that becomes /workspace; an empty temporary one if absent
    #[arg(long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// Let it read the folder of --workdir but change nothing in it
    #[arg(long, requires = "workdir")]
    read_only: bool,
    /// Let it ask this host over HTTP, or all below it as `*.example.com`; may be given several times. Hosts that are
    /// not of the public internet must be among the configuration's egress.private_hosts too
    #[arg(long = "allow-host", value_name = "HOST")]
    allow_hosts: Vec<String>,
    /// Set a variable of its environment; without a value, to this process's own
    #[arg(long = "env", short = 'e', value_name = "NAME[=VALUE]")]
    env: Vec<String>,
}

impl GrantArgs {
    /// Returns the variables that are set.
    pub(super) fn variables(&self) -> Result<Vec<(String, String)>> {
        let variable = |setting: &String| match setting.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => {
                let value = std::env::var(setting);
                let value =
                    value.with_context(|| format!("this process has no variable {setting}"))?;
                Ok((setting.clone(), value))
            }
        };
        self.env.iter().map(variable).collect()
    }

    /// Adds the folders, of which missing ones are made below `own`, and the hosts.
    pub(super) fn add_to(
        &self,
        resources: Resources,
        own: &Path,
        config: &ConfigArgs,
    ) -> Result<Resources> {
        let open = |path: &Path| {
            Dir::open_ambient_dir(path, ambient_authority())
                .with_context(|| format!("the folder {} cannot be used", path.display()))
        };
        let made = |name: &str| {
            let path = own.join(name);
            std::fs::create_dir(&path).context("no temporary folder can be made")?;
            open(&path)
        };
        let (workspace, rights) = match &self.workdir {
            Some(path) if self.read_only => (open(path)?, Rights::ReadOnly),
            Some(path) => (open(path)?, Rights::ReadWrite),
            None => (made("workspace")?, Rights::ReadWrite),
        };
        let resources = resources.mount("/workspace", workspace, rights).mount(
            "/tmp",
            made("tmp")?,
            Rights::ReadWrite,
        );
        if self.allow_hosts.is_empty() {
            return Ok(resources);
        }
        let client = Client::new(config.config()?.egress.options())?;
        let hosts = self.allow_hosts.iter().map(|host| HostPattern::new(host));
        let otherwise = Denial {
            reason: "it is none of the hosts that may be asked".to_owned(),
            setting: "--allow-host".to_owned(),
        };
        let policy = Policy::of_hosts(hosts.collect(), otherwise);
        Ok(resources.egress(Arc::new(PlainEgress::new(client, policy))))
    }
}
