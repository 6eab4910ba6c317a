/** Where the provider leads back to. */
export const CALLBACK = '/sign-in/openid/callback';
/** From leaving for the provider until one is back. */
export const BEGUN_MS = 10 * 60_000;

/** Why somebody could not sign in, in words for them. `isDown`: the provider is out of reach. */
export class SignInFailed extends Error {
  readonly isDown: boolean;
  constructor(message: string, isDown: boolean) {
    super(message);
    this.name = 'SignInFailed';
    this.isDown = isDown;
  }
}
