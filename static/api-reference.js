// Draws the reference of the API from the console's own description. What the role may not do can't be tried.
const place = document.getElementById('api-reference');
SwaggerUIBundle({
  url: `${document.documentElement.dataset.base ?? ''}/api/v1/openapi.json`,
  domNode: place,
  supportedSubmitMethods: place.dataset.methods.split(' '),
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  filter: true,
  deepLinking: true,
  validatorUrl: null,
});
