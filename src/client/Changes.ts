/** What changes within the client, and for nobody else. */
export type Changes<Type> = { -readonly [Key in keyof Type]?: Type[Key] };
