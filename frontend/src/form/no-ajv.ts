/**
 * Stands in for Ajv in the bundle. The form library's index also exports a helper
 * for its own tests that imports it; Ajv compiles schemas to code, which the
 * page's content policy forbids. Our validator is in validator.ts.
 */
export default undefined
