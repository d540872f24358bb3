//! What a tool shows the model: text, pictures, documents.
//!
//! The guest's side of this is `sinew:tool/content`; a function that returns `list<block>` of that
//! interface is recognised when the component is added, and its values are read here.

use wasmtime::component::Val;
use wit_parser::{PackageName, Resolve, Type, TypeDef, TypeDefKind, TypeOwner};

use super::output::OutputError;
use super::schema;

/// The longest media type, in bytes: the name grammar of RFC 6838 allows two times 127 and a slash.
const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// One part of a tool's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, shown as it stands.
    Text(String),
    /// A picture.
    Image {
        /// The media type of the bytes, such as `image/png`.
        media_type: String,
        /// The picture's bytes.
        data: Vec<u8>,
    },
    /// A document, such as a PDF.
    Document {
        /// The media type of the bytes, such as `application/pdf`.
        media_type: String,
        /// The document's bytes.
        data: Vec<u8>,
    },
}

/// Returns whether the package is `sinew:tool` of a version this host speaks.
pub(super) fn is_tool_package(name: &PackageName) -> bool {
    let is_spoken = match &name.version {
        Some(version) => version.major == 0 && version.minor == 1,
        None => false,
    };
    name.namespace == "sinew" && name.name == "tool" && is_spoken
}

/// Returns whether the type is `list<block>` of `sinew:tool/content`, in the shape this host reads.
pub(super) fn is_block_list(resolve: &Resolve, ty: Type) -> bool {
    let Some(TypeDefKind::List(element)) = schema::kind(resolve, ty) else {
        return false;
    };
    let Some(block) = schema::definition(resolve, *element) else {
        return false;
    };
    let TypeDefKind::Variant(variant) = &block.kind else {
        return false;
    };
    let shape: Vec<_> = variant
        .cases
        .iter()
        .map(|case| (case.name.as_str(), case.ty))
        .collect();
    is_from_content(resolve, block)
        && matches!(
            shape.as_slice(),
            [("text", Some(Type::String)), ("image", Some(image)), ("document", Some(document))]
                if is_media(resolve, *image) && is_media(resolve, *document)
        )
}

fn is_from_content(resolve: &Resolve, ty: &TypeDef) -> bool {
    let TypeOwner::Interface(id) = ty.owner else {
        return false;
    };
    let Some(interface) = resolve.interfaces.get(id) else {
        return false;
    };
    interface.name.as_deref() == Some("content")
        && interface
            .package
            .and_then(|id| resolve.packages.get(id))
            .is_some_and(|package| is_tool_package(&package.name))
}

fn is_media(resolve: &Resolve, ty: Type) -> bool {
    let Some(TypeDefKind::Record(record)) = schema::kind(resolve, ty) else {
        return false;
    };
    match record.fields.as_slice() {
        [media_type, data] => {
            media_type.name == "media-type"
                && media_type.ty == Type::String
                && data.name == "data"
                && matches!(
                    schema::kind(resolve, data.ty),
                    Some(TypeDefKind::List(Type::U8))
                )
        }
        _ => false,
    }
}

/// Reads a value of type `list<block>`.
///
/// # Errors
///
/// Fails if the value is of another type, or a media type is not one.
pub(super) fn read_blocks(value: &Val) -> Result<Vec<Content>, OutputError> {
    let Val::List(blocks) = value else {
        return Err(OutputError::Unfit {
            expected: "a list of blocks",
        });
    };
    blocks.iter().map(read_block).collect()
}

fn read_block(value: &Val) -> Result<Content, OutputError> {
    let unfit = OutputError::Unfit {
        expected: "a block",
    };
    let Val::Variant(case, Some(payload)) = value else {
        return Err(unfit);
    };
    match (case.as_str(), payload.as_ref()) {
        ("text", Val::String(text)) => Ok(Content::Text(text.clone())),
        ("image", media) => {
            let (media_type, data) = read_media(media)?;
            Ok(Content::Image { media_type, data })
        }
        ("document", media) => {
            let (media_type, data) = read_media(media)?;
            Ok(Content::Document { media_type, data })
        }
        _ => Err(unfit),
    }
}

fn read_media(value: &Val) -> Result<(String, Vec<u8>), OutputError> {
    let unfit = OutputError::Unfit {
        expected: "a record of media type and data",
    };
    let Val::Record(fields) = value else {
        return Err(unfit);
    };
    let [(_, Val::String(media_type)), (_, Val::List(bytes))] = fields.as_slice() else {
        return Err(unfit);
    };
    // It ends up in requests and headers, so it must be a media type and not a place to smuggle.
    if !is_media_type(media_type) {
        return Err(OutputError::MediaType);
    }
    let data = bytes.iter().map(read_byte).collect::<Result<_, _>>()?;
    Ok((media_type.clone(), data))
}

pub(super) fn read_byte(value: &Val) -> Result<u8, OutputError> {
    match value {
        Val::U8(byte) => Ok(*byte),
        _ => Err(OutputError::Unfit { expected: "a byte" }),
    }
}

fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.len() <= MEDIA_TYPE_BYTES_MAX
        && text
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(case: &str, payload: Val) -> Val {
        Val::List(vec![Val::Variant(case.to_owned(), Some(Box::new(payload)))])
    }

    fn media(media_type: &str, data: Val) -> Val {
        Val::Record(vec![
            ("media-type".to_owned(), Val::String(media_type.to_owned())),
            ("data".to_owned(), data),
        ])
    }

    #[test]
    fn reads_blocks() {
        let bytes = || Val::List(vec![Val::U8(1), Val::U8(255)]);
        let media_type = "image/png".to_owned();
        let data = vec![1, 255];
        let cases = [
            (
                block("text", Val::String("a".into())),
                Ok(Content::Text("a".into())),
            ),
            (
                block("image", media("image/png", bytes())),
                Ok(Content::Image {
                    media_type: media_type.clone(),
                    data: data.clone(),
                }),
            ),
            (
                block("document", media("image/png", bytes())),
                Ok(Content::Document { media_type, data }),
            ),
            (
                block("image", media("image/png\r\nx: y", bytes())),
                Err(OutputError::MediaType),
            ),
            (
                block("image", media("png", bytes())),
                Err(OutputError::MediaType),
            ),
            (
                block("image", media("image/png", Val::List(vec![Val::U16(1)]))),
                Err(OutputError::Unfit { expected: "a byte" }),
            ),
            (
                block("video", Val::U8(0)),
                Err(OutputError::Unfit {
                    expected: "a block",
                }),
            ),
            (
                Val::U8(0),
                Err(OutputError::Unfit {
                    expected: "a list of blocks",
                }),
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(
                read_blocks(&value),
                expected.map(|content| vec![content]),
                "{value:?}"
            );
        }
    }
}
