/**
 * Stands in for the SDK's credential provider chain when the functions are bundled: Lambda puts credentials into the environment, so sign-in flows,
 * profiles and metadata services (a hundred kilobytes of them) have no business in a function.
 */
export function defaultProvider() {
  return async () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env;
    if (!accessKeyId || !secretAccessKey) throw new Error('the function has no credentials in its environment');
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  };
}
