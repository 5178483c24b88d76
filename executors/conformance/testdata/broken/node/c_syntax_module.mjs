export const process = (task => {
