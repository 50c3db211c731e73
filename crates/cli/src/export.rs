//! `bonded export`.

use crate::{
    Failure,
    args::{Export, block_on},
    client, profile,
};
use std::{collections::BTreeMap, path::Path};
use wire::operations::{ExportRequest, operations_client::OperationsClient};

pub(crate) fn export(given: Export, json: bool) -> Result<(), Failure> {
    let Export {
        as_whom,
        sql,
        product,
        output,
    } = given;
    if output.exists() {
        let text = format!(
            "{}: exists already; choose another folder",
            output.display()
        );
        return Err(Failure::Usage(text));
    }
    let profile = profile::read(&as_whom.profile)?;
    let wanted = ExportRequest {
        sql: sql.unwrap_or_default(),
        product: product.unwrap_or_default(),
    };
    let files = block_on(async {
        let client = client::connect(&profile, as_whom.scenario.as_deref()).await?;
        fetch(&client, wanted).await
    })?;
    write(&output, &files)?;
    if json {
        let names: Vec<&String> = files.keys().collect();
        println!("{}", serde_json::json!({"package": output, "files": names}));
    } else {
        println!("{}: {} files / 个文件", output.display(), files.len());
    }
    Ok(())
}

/// The package's files, as the gateway sends them.
pub(crate) async fn fetch(
    client: &client::Client,
    wanted: ExportRequest,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut operations = OperationsClient::new(client.channel.clone());
    let request = client.request(wanted);
    let answered = |status: tonic::Status| Failure::answered(&status);
    let mut stream = operations
        .export(request)
        .await
        .map_err(answered)?
        .into_inner();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while let Some(chunk) = stream.message().await.map_err(answered)? {
        files.entry(chunk.name).or_default().extend(chunk.data);
    }
    Ok(files)
}

/// Writes a package. A name that is not a plain file name is not written.
pub(crate) fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    std::fs::create_dir(folder).map_err(|error| Failure::usage(folder, error))?;
    for (name, bytes) in files {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
        if name.split('/').count() > 2 || !name.split('/').all(plain) {
            return Err(Failure::Other(format!(
                "`{name}` is no file name of a package"
            )));
        }
        let path = folder.join(name);
        if let Some(inner) = path.parent() {
            std::fs::create_dir_all(inner).map_err(|error| Failure::other(inner, error))?;
        }
        std::fs::write(&path, bytes).map_err(|error| Failure::other(&path, error))?;
    }
    Ok(())
}
