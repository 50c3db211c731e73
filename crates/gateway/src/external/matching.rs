use super::{
    Barred,
    lists::{self, Lists, near},
};
use crate::{Gateway, Unadministered};
use arrow::array::AsArray;
use confine::ShownRows;
use dispatch::Keys;
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};
use terms::{Dataset, External, IdentifierDomain};

/// How long one reading of a dataset's subjects may take at most; the pool's own limit is tighter.
const READING_MAX: Duration = Duration::from_secs(3600);

/// Whether the protected data of the scenario knows at least k of each list, and as many of what it has
/// more or less than the operator's other lists: padding with identifiers that nobody has hides nobody.
///
/// Asked when safety is judged, and answered to that authority alone.
pub(super) async fn judge(
    gateway: &Gateway,
    (external, of): (&External, &Lists),
    k: u32,
) -> Result<(), Barred> {
    let others = lists::of_operator(&gateway.domain, &of.operator, Some(&external.id))?;
    let mut wanted: BTreeMap<&IdentifierDomain, HashSet<u128>> = BTreeMap::new();
    let domains: HashSet<&IdentifierDomain> = of.lists.iter().map(|list| &list.domain).collect();
    let all = of.lists.iter().chain(others.iter().flat_map(|o| &o.lists));
    for list in all.filter(|list| domains.contains(&list.domain)) {
        let asked = wanted.entry(&list.domain).or_default();
        asked.extend(list.tokens.iter().copied());
    }
    for (domain, asked) in wanted {
        let Some(known) = known(gateway, external, (domain, &asked)).await? else {
            // Nobody is protected in this domain.
            continue;
        };
        let of_domain = |lists: &Lists| {
            let lists = lists.lists.iter().filter(|list| list.domain == *domain);
            let met = lists.map(|list| {
                let met = list.tokens.iter().copied();
                let met: Vec<u128> = met.filter(|token| known.contains(token)).collect();
                (list.item.clone(), met)
            });
            met.collect::<Vec<_>>()
        };
        let mut earlier: Vec<Vec<u128>> = Vec::new();
        for other in &others {
            earlier.extend(of_domain(other).into_iter().map(|(_, met)| met));
        }
        for (item, met) in of_domain(of) {
            let against: Vec<&[u128]> = earlier.iter().map(Vec::as_slice).collect();
            let is_short = met.len() < usize::try_from(k).unwrap_or(usize::MAX);
            if is_short || near(&met, &against, k) {
                return Err(Barred::Padded { item, k });
            }
            earlier.push(met);
        }
    }
    Ok(())
}

/// Of these tokens, those that stand for a subject of the scenario's protected data; none where it has no
/// subjects of the domain. A runner makes the tokens, under the gate's own key: no identifier comes here.
async fn known(
    gateway: &Gateway,
    external: &External,
    (domain, asked): (&IdentifierDomain, &HashSet<u128>),
) -> Result<Option<HashSet<u128>>, Barred> {
    let protected = protected(gateway, external, domain);
    if protected.is_empty() {
        return Ok(None);
    }
    let mut known = HashSet::new();
    for (dataset, number) in protected {
        let Some(shown) = ShownRows::subjects(&dataset) else {
            continue;
        };
        let source = gateway
            .domain
            .store
            .source(&dataset.name, number, shown.items());
        let keys = Keys {
            sources: vec![(dataset.name.clone(), source.map_err(Unadministered::from)?)],
            token_key: gateway.domain.keyring.list_key(),
            order_key: gateway.domain.keyring.order_key(&external.scenario),
        };
        let failed = |why: dispatch::Failure| Barred::Unkept(why.to_string());
        let mut rows = gateway
            .pool()
            .rows(&shown, &keys, READING_MAX)
            .await
            .map_err(failed)?;
        while let Some(piece) = rows.next().await {
            let piece = piece.map_err(failed)?;
            let column = piece.batch().columns().first();
            let texts = column.and_then(|column| column.as_string_opt::<i32>());
            let texts = texts.ok_or(Barred::Broken)?;
            let tokens = texts.iter().flatten();
            let tokens = tokens.filter_map(|token| u128::from_str_radix(token, 16).ok());
            known.extend(tokens.filter(|token| asked.contains(token)));
        }
    }
    Ok(Some(known))
}

/// The protected datasets of the scenario whose subjects are of a domain, with the state it sees.
fn protected(
    gateway: &Gateway,
    external: &External,
    domain: &IdentifierDomain,
) -> Vec<(Dataset, u32)> {
    let stands = gateway.domain.live.read();
    let state = &stands.state;
    let Some(standing) = state.scenario(&external.scenario) else {
        return Vec::new();
    };
    let of = standing.scenario.datasets.iter().filter_map(|wanted| {
        let dataset = state.dataset(&wanted.name).filter(|d| d.is_protected())?;
        let subject = dataset.item(dataset.subject.as_ref()?)?;
        let number = standing.pinned.get(&wanted.name).copied()?;
        (subject.domain.as_ref() == Some(domain)).then(|| (dataset.clone(), number))
    });
    of.collect()
}
