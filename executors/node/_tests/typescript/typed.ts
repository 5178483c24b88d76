export const typed = (task: { context: object }) => task.context;
