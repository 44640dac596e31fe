/** Whether something has not been closed, for `filter()`. */
export const isOpen = ({ closed }: { readonly closed: boolean }): boolean => !closed;
