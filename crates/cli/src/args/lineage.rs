//! `bonded lineage …` as typed.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Lineage {
    /// What a product comes from
    Sources {
        #[command(flatten)]
        place: Traced,
        /// export/ID, result/ID, or the operation's id
        product: String,
    },
    /// What a dataset, or one item of it, went into
    Products {
        #[command(flatten)]
        place: Traced,
        /// schema.table
        dataset: String,
        /// One of its items
        #[arg(long)]
        item: Option<String>,
    },
    /// Every run as OpenLineage events, one a line
    Events {
        #[command(flatten)]
        place: Traced,
        /// The file, made anew; the terminal if not given
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// The lineage of a product as SVG
    Picture {
        #[command(flatten)]
        place: Traced,
        /// export/ID, result/ID, or the operation's id
        product: String,
        /// The file, made anew
        #[arg(long, short)]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Traced {
    /// The domain's folder
    #[arg(long)]
    pub dir: PathBuf,
    /// Who opens the sealed columns, through the running gateway; each reading is on record / 阅读留痕
    #[arg(long, short, requires = "purpose")]
    pub profile: Option<PathBuf>,
    /// What for: audit, investigation, complaint, redaction
    #[arg(long, requires = "profile")]
    pub purpose: Option<String>,
}
