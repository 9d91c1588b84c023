//! Small images are open to everyone.

use std::fmt;

use super::{AccessRequest, Answer, Authorizer, BoxError, Decision, Denial};
use crate::resource::Resource;

type Dimensions = Box<dyn Fn(&Resource<'_>) -> Option<(u32, u32)> + Send + Sync>;

/// Opens every image request that shows no more detail than the whole image scaled to a number of
/// pixels; denies everything else. Combine it by [`or`](Authorizer::or).
///
/// It is worked out from region *and* size: a small cut at full scale is denied, or tiles would
/// add up to the whole picture. Regions that reach over the edge are clipped first, as servers do.
/// What can not be told for sure, of every image server, is denied: sizes and regions with fractions,
/// regions in percent, `^max`, rotations by other than quarter turns
/// ([`whole_image_at_this_scale`](crate::resource::ImageRequest::whole_image_at_this_scale)). Viewers'
/// thumbnails (`full/400,`, `full/!400,400`, `full/400,300`) are none of these.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::{Authorizer, MaxUnauthorized, RolesFor};
///
/// let rules = RolesFor::new()
///     .roles("*", ["reader"])
///     .or(MaxUnauthorized::new(400).with_dimensions(|image| match image.identifier() {
///         "page1" => Some((6000, 8000)),
///         _ => None,
///     }));
/// ```
pub struct MaxUnauthorized {
    pixels: u32,
    dimensions: Option<Dimensions>,
    /// Whether the dimensions are those of a page or scale, where one is asked for.
    of_pages: bool,
}

impl MaxUnauthorized {
    /// Opens what shows the whole image at no more than `pixels` on its longer side.
    ///
    /// While the images' sizes are not known, only requests for the whole image fitted into given
    /// bounds (`full/400,400`, `full/!400,400`) can be told to be small.
    #[must_use]
    pub fn new(pixels: u32) -> Self {
        Self { pixels, dimensions: None, of_pages: false }
    }

    /// Looks up the full width and height of an image, so that regions and sizes of one side
    /// (`full/400,`) can be told to be small. An identifier that is not the same image below every
    /// base has to be told apart by its base.
    ///
    /// It is not asked about a [page](Resource::page) or [scale](Resource::scale) of an image, which is
    /// another picture under the same identifier: see
    /// [`with_dimensions_of_pages`](Self::with_dimensions_of_pages).
    #[must_use]
    pub fn with_dimensions(
        mut self,
        dimensions: impl Fn(&Resource<'_>) -> Option<(u32, u32)> + Send + Sync + 'static,
    ) -> Self {
        self.dimensions = Some(Box::new(dimensions));
        self.of_pages = false;
        self
    }

    /// The same for a lookup that tells pages and scales of an image apart.
    #[must_use]
    pub fn with_dimensions_of_pages(
        self,
        dimensions: impl Fn(&Resource<'_>) -> Option<(u32, u32)> + Send + Sync + 'static,
    ) -> Self {
        Self { of_pages: true, ..self.with_dimensions(dimensions) }
    }
}

impl Authorizer for MaxUnauthorized {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let small = request.resource().image().is_some_and(|image| {
            let resource = request.resource();
            let is_known = self.of_pages || resource.page().is_none() && resource.scale().is_none();
            let find = self.dimensions.as_ref().filter(|_| is_known);
            let dimensions = find.and_then(|find| find(resource));
            image
                .whole_image_at_this_scale(dimensions)
                .is_some_and(|shown| shown <= f64::from(self.pixels))
        });
        Answer::Now(Ok(if small { Decision::Grant } else { Denial::login().into() }))
    }
}

impl fmt::Debug for MaxUnauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxUnauthorized").field("pixels", &self.pixels).finish_non_exhaustive()
    }
}
