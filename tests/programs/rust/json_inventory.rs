use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Item {
    sku: String,
    quantity: u32,
    #[serde(rename = "unitPrice")]
    unit_price: f64,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    item_count: usize,
    total_value: f64,
    by_tag: BTreeMap<&'a str, u32>,
}

const DOCUMENT: &str = r#"[
    {"sku": "bolt-m4", "quantity": 1200, "unitPrice": 0.05, "tags": ["metal", "small"]},
    {"sku": "gear-12", "quantity": 35, "unitPrice": 14.5, "tags": ["metal"]},
    {"sku": "belt-7", "quantity": 8, "unitPrice": 22.25}
]"#;

fn main() -> Result<(), serde_json::Error> {
    let items: Vec<Item> = serde_json::from_str(DOCUMENT)?;
    let mut by_tag = BTreeMap::new();
    for item in &items {
        for tag in &item.tags {
            *by_tag.entry(tag.as_str()).or_insert(0) += item.quantity;
        }
    }
    let summary = Summary {
        item_count: items.len(),
        total_value: items.iter().map(|item| item.quantity as f64 * item.unit_price).sum(),
        by_tag,
    };
    println!("{}", serde_json::to_string_pretty(&summary)?);

    let mut tree: Value = serde_json::from_str(DOCUMENT)?;
    tree[0]["quantity"] = json!(1100);
    tree.as_array_mut().unwrap().push(json!({"sku": "nut-m4", "nested": {"ok": true, "n": null}}));
    println!("{}", tree[3]["nested"]["ok"]);
    println!("{}", serde_json::to_string(&tree[0])?);

    let error = serde_json::from_str::<Vec<Item>>(r#"[{"sku": "x", "quantity": -1}]"#).unwrap_err();
    println!("error: {error}");
    println!("{}", items.iter().map(|item| item.sku.as_str()).collect::<Vec<_>>().join(","));
    Ok(())
}
