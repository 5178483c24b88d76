export default (): string => 'source';
